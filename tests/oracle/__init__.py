"""An independent judge: every assignment of a tiny case, tried one by one, straight from docs/semantics.md.

`meaning.py` says what the rules mean, `enumeration.py` tries everything, `generation.py` invents cases,
`comparison.py` sets a plan against the oracle's answer. Nothing here imports the optimizer's or the rules' code,
except the comparison, which calls the optimizer from outside.
"""
