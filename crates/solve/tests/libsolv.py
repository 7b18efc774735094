"""What libsolv answers: `libsolv.py FOLDER`, for each FOLDER/N.xml (a primary document) the requests in FOLDER/N.requests.

A request a line: names, and `-weak` in front for one without weak dependencies. Prints a line for each: `no`, or the packages.
"""
import sys
from pathlib import Path

import solv

for primary in sorted(Path(sys.argv[1]).glob("*.xml"), key=lambda path: int(path.stem)):
    pool = solv.Pool()
    pool.setdisttype(solv.Pool.DISTTYPE_RPM)
    pool.setarch("x86_64")
    repo = pool.add_repo("test")
    file = solv.xfopen(str(primary))
    assert repo.add_rpmmd(file, None, 0)
    file.close()
    pool.addfileprovides()
    pool.createwhatprovides()
    for line in primary.with_suffix(".requests").read_text().splitlines():
        solver = pool.Solver()
        words = line.split()
        if words[0] == "-weak":
            solver.set_flag(solv.Solver.SOLVER_FLAG_IGNORE_RECOMMENDED, 1)
            words = words[1:]
        jobs = []
        for name in words:
            jobs += pool.select(name, solv.Selection.SELECTION_NAME).jobs(solv.Job.SOLVER_INSTALL)
        if solver.solve(jobs):
            print("no")
        else:
            print(*sorted(str(solvable) for solvable in solver.transaction().newsolvables()))
