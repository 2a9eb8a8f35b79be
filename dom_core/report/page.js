"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const find = byId("find"), outcome = byId("outcome"), source = byId("source"), shown = byId("shown");
  const lines = [...document.querySelectorAll("#lines > .line")].map((element) => ({
    element,
    text: (element.querySelector(".row") || element).textContent.toLowerCase(),
    outcome: element.dataset.outcome,
    sources: (element.dataset.sources || "").split(" "),
  }));

  const filter = () => {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const line of lines) {
      const fits = words.every((word) => line.text.includes(word))
        && (!outcome.value || line.outcome === outcome.value)
        && (!source.value || line.sources.includes(source.value));
      line.element.hidden = !fits;
      count += fits ? 1 : 0;
    }
    shown.textContent = `${count.toLocaleString("en")} of ${lines.length.toLocaleString("en")} lines`;
  };

  const network = [...document.querySelectorAll("svg [data-source]")];
  const highlight = (id) => {
    document.querySelectorAll(".map > svg").forEach((map) => map.classList.toggle("focused", Boolean(id)));
    for (const element of network) element.classList.toggle("lit", element.dataset.source === id);
  };
  const choose = (id) => {
    source.value = source.value === id ? "" : id;
    filter();
    highlight(source.value);
  };
  // Only with this script do the symbols do anything: only now are they buttons.
  document.querySelectorAll(".map > svg").forEach((map) => map.setAttribute("role", "group"));
  for (const symbol of network.filter((element) => element.matches(".symbol"))) {
    const id = symbol.dataset.source;
    symbol.setAttribute("tabindex", "0");
    symbol.setAttribute("role", "button");
    symbol.setAttribute("aria-label", symbol.querySelector("title").textContent);
    for (const event of ["pointerenter", "focus"]) symbol.addEventListener(event, () => highlight(id));
    for (const event of ["pointerleave", "blur"]) symbol.addEventListener(event, () => highlight(source.value));
    symbol.addEventListener("click", () => choose(id));
    symbol.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      choose(id);
    });
  }

  find.addEventListener("input", filter);
  outcome.addEventListener("change", filter);
  source.addEventListener("change", () => { filter(); highlight(source.value); });
  byId("filter").hidden = false;
  filter();
})();
