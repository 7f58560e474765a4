"""From what instructors edit (`solutions/`) to what students open (`labs/`).

    solutions/lab1/lab1.py  ⇄  solutions/lab1/lab1.ipynb   →   labs/lab1/lab1.ipynb
        (text, in diffs)         (the same notebook)              (answers taken out)

`course` knows where things lie, `pairs` keeps the first two equal, `annotate` writes nbgrader's
metadata from the checks, `release` takes the answers out, `build` does it all.
"""
