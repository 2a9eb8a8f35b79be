"""The engine for large batches, proven on small ones: prices and neighbourhoods find what one exact model finds.

`cases.py` makes batches of the whole rule space, `searching.py` plans them by search however small they are, whole and
part by part, `judging.py` sets what was searched against the exact model, `lies.py` corrupts plans that verification
must refuse, `examining.py` does all of it to one case. `python -m tests.engine` is the campaign.
"""
