"""Microsoft's Python worker with this repository's app, driven over standard input and output.

    python -m tests.functions.worker.process

It answers a line of JSON with a line of JSON; the first line, which nobody asks for, is the index. The process around
the worker's code is ours, and so are the messages (`rpc`); reading the app, converting values and calling functions is
Microsoft's code (azure-functions-runtime). A process of its own, because an app object may be read only once.
"""

import asyncio
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import azure_functions_runtime as runtime

from tests.functions.worker import rpc

ROOT = Path(__file__).parents[3]


def main() -> None:
    """Start the worker, then answer until the input ends."""
    asyncio.run(_serve())


async def _serve() -> None:
    runtime.start_threadpool_executor()
    started = await runtime.worker_init_request(_init())
    index = await runtime.functions_metadata_request(_message())
    functions = {function.name: function for function in index.function_metadata_results or ()}
    _say({"started": _result(started.result), "functions": [_described(found) for found in functions.values()]})
    for line in sys.stdin:
        asked = json.loads(line)
        _say(await _invoke(functions[asked["function"]].function_id, asked["payload"]))
    runtime.stop_threadpool_executor()


async def _invoke(function_id: str, payload: dict[str, Any]) -> dict[str, Any]:
    await runtime.function_load_request(_message(function_load_request=SimpleNamespace(function_id=function_id)))
    answer = await runtime.invocation_request(_message(invocation_request=_invocation(function_id, payload)))
    returned = answer.return_value
    return {"result": _result(answer.result), "http": _http(returned.http) if returned else None}


def _init() -> SimpleNamespace:
    init = SimpleNamespace(capabilities={}, function_app_directory=str(ROOT))
    message = _message(worker_init_request=init)
    message.properties = {"host": "127.0.0.1", "protos": rpc}
    return message


def _message(**request: Any) -> SimpleNamespace:
    return SimpleNamespace(request=SimpleNamespace(**request))


def _invocation(function_id: str, payload: dict[str, Any]) -> SimpleNamespace:
    return SimpleNamespace(
        invocation_id="11111111-2222-4333-8444-555555555555",
        function_id=function_id,
        input_data=[rpc.ParameterBinding(name, _typed(value)) for name, value in payload["input_data"].items()],
        trigger_metadata={name: _typed(value) for name, value in payload["trigger_metadata"].items()},
        trace_context=SimpleNamespace(trace_parent="", trace_state="", attributes={}),
        retry_context=SimpleNamespace(retry_count=0, max_retry_count=0, exception=None),
    )


def _typed(value: dict[str, Any]) -> rpc.TypedData:
    [(kind, content)] = value.items()
    if kind == "http":
        body = content.pop("body", None)
        return rpc.TypedData(http=rpc.RpcHttp(**content, body=_typed(body) if body else rpc.TypedData(bytes=b"")))
    return rpc.TypedData(**{kind: content.encode() if kind == "bytes" else content})


def _described(function: rpc.RpcFunctionMetadata) -> dict[str, Any]:
    # What the host reads are the raw bindings; the typed ones beside them must tell the same.
    assert {name: found.type for name, found in function.bindings.items()} == {
        binding["name"]: binding["type"] for binding in map(json.loads, function.raw_bindings)
    }
    return {"name": function.name, "bindings": [json.loads(binding) for binding in function.raw_bindings]}


def _result(result: rpc.StatusResult) -> dict[str, str]:
    return {"status": result.status, "message": result.exception.message if result.exception else ""}


def _http(answer: rpc.RpcHttp) -> dict[str, Any]:
    body = answer.body.bytes.decode() if answer.body else ""
    return {"status": int(answer.status_code), "headers": dict(answer.headers), "body": body}


def _say(content: object) -> None:
    sys.stdout.write(json.dumps(content) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
