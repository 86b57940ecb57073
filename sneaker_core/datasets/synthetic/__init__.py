"""Photos of made-up sneakers, drawn from curves: a dataset that needs no download and whose flaws are known."""
