"""One file per control: pure predicates, tried one after the other, each on its own.

A predicate takes a `Resource` (controls of kind resource) or the `Stack` and yields a `Problem` for each thing that is
wrong. It asks `Properties` for values and lets `UnknownValueError` pass through; it knows neither levels nor exceptions
nor reports.
"""
