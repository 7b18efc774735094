"""The part of bench/solve that runs both sides and compares: see there."""
import glob
import random
import re
import resource
import statistics
import subprocess
import sys
import time

import solv

OURS, WORK, COUNT = sys.argv[1], sys.argv[2], int(sys.argv[3])
REPOSITORY = WORK + "/universe"


def cpu(who=resource.RUSAGE_SELF):
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def child(*words):
    before, start = cpu(resource.RUSAGE_CHILDREN), time.perf_counter()
    out = subprocess.run([OURS, *words], check=True, capture_output=True, text=True).stdout
    return out, cpu(resource.RUSAGE_CHILDREN) - before, time.perf_counter() - start


def ratio(what, ours, theirs, unit="s", digits=3):
    print(f"{what:42} ours {ours:9.{digits}f} {unit}   libsolv {theirs:9.{digits}f} {unit}   {theirs / ours:6.1f} times as fast")


def load():
    pool = solv.Pool()
    pool.setdisttype(solv.Pool.DISTTYPE_RPM)
    pool.setarch("x86_64")
    repo = pool.add_repo("bench")
    start, wall = cpu(), time.perf_counter()
    file = solv.xfopen(glob.glob(REPOSITORY + "/repodata/*-primary.xml.gz")[0])
    assert repo.add_rpmmd(file, None, 0)
    file.close()
    pool.addfileprovides()
    pool.createwhatprovides()
    times = cpu() - start, time.perf_counter() - wall
    return pool, repo, times


def name_of(solvable):
    """As ours: without an epoch of 0."""
    return re.sub(r"-0:", "-", str(solvable))


def solve(pool, names, weak, exact=False):
    solver = pool.Solver()
    if not weak:
        solver.set_flag(solv.Solver.SOLVER_FLAG_IGNORE_RECOMMENDED, 1)
    jobs = []
    for name in names:
        flags = solv.Selection.SELECTION_CANON if exact else solv.Selection.SELECTION_NAME
        jobs += pool.select(name, flags).jobs(solv.Job.SOLVER_INSTALL)
    start = time.perf_counter()
    before = cpu()
    problems = solver.solve(jobs)
    used = max(cpu() - before, 0)
    wall = time.perf_counter() - start
    found = None if problems else {name_of(one) for one in solver.transaction().newsolvables()}
    return found, min(used or wall, wall), [str(problem) for problem in problems]


def main():
    pool, repo, (read_theirs, wall_theirs) = load()
    reads = [child("read", REPOSITORY)[1:] for _ in range(3)]
    ratio("primary as XML to solvable, CPU", min(cpu for cpu, _ in reads), read_theirs)
    ratio("primary as XML to solvable, wall", min(wall for _, wall in reads), wall_theirs)

    child("cache", REPOSITORY, WORK + "/cache")
    repo.write(solv.xfopen(WORK + "/cache.solv", "w"))
    names = sorted({solvable.name for solvable in repo.solvables})
    large = "gnome"
    warm = [child("warm", REPOSITORY, WORK + "/cache", large) for _ in range(5)]
    start = cpu()
    other = solv.Pool()
    other.setdisttype(solv.Pool.DISTTYPE_RPM)
    other.setarch("x86_64")
    file = solv.xfopen(WORK + "/cache.solv")
    other.add_repo("bench").add_solv(file)
    other.addfileprovides()
    other.createwhatprovides()
    solve(other, [large], True)
    theirs = cpu() - start
    ratio(f"cache to the solution of {large}, CPU", min(run[1] for run in warm), theirs)
    print(f"  whole process, wall: {min(run[2] for run in warm) * 1000:.1f} ms; {warm[0][0].strip()}")

    # libsolv gets the file lists too, so that both know all paths.
    file = solv.xfopen(glob.glob(REPOSITORY + "/repodata/*-filelists.xml.gz")[0])
    repo.add_rpmmd(file, "FL", solv.Repo.REPO_EXTEND_SOLVABLES | solv.Repo.REPO_LOCALPOOL)
    file.close()
    pool.addfileprovides()
    pool.createwhatprovides()

    chance = random.Random(5)
    requests = [(chance.sample(names, chance.choice([1, 1, 2, 3])), number % 4 != 3) for number in range(COUNT)]
    with open(WORK + "/requests", "w", encoding="utf-8") as file:
        file.writelines(("" if weak else "-weak ") + " ".join(wanted) + "\n" for wanted, weak in requests)
    lines = child("solve", REPOSITORY, WORK + "/requests")[0].splitlines()
    times, same, sizes, questions, failures = [], 0, [], [], []
    for (wanted, weak), line in zip(requests, lines, strict=True):
        time_ours, *rest = line.split(" ")
        ours = None if rest[:1] == ["!"] else set(rest)
        theirs, seconds, problems = solve(pool, wanted, weak)
        times.append((int(time_ours) / 1e6, seconds, wanted))
        if (ours is None) != (theirs is None):
            failures.append(f"{wanted}: ours {line[:300]}; libsolv {problems or 'has a solution'}")
        elif ours == theirs:
            same += 1
        else:
            questions.append((wanted, weak, ours, theirs))
            sizes.append(len(ours) - len(theirs))
    answers = []
    if questions:
        exact = [" ".join(sorted(theirs)) for _, _, _, theirs in questions]
        with open(WORK + "/exact", "w", encoding="utf-8") as file:
            for (_, _, _, theirs) in questions:
                file.write("-weak " + " ".join(as_relation(one) for one in sorted(theirs)).replace(" = ", "=") + "\n")
        answers = child("exactly", REPOSITORY, WORK + "/exact")[0].splitlines()
    for (wanted, weak, ours, theirs), answer in zip(questions, answers, strict=True):
        accepted, _, problems = solve(pool, sorted(ours), False, exact=True)
        if accepted != ours:
            failures.append(f"{wanted}: libsolv does not accept our answer: {problems or sorted((accepted or set()) ^ ours)[:5]}")
        if set(answer.split(" ")) != theirs:
            failures.append(f"{wanted}: ours does not accept libsolv's answer: {answer[:300]}")
    ratio(f"{COUNT} requests, median", statistics.median(t[0] for t in times) * 1e3, statistics.median(t[1] for t in times) * 1e3, "ms")
    ratio("  all of them", sum(t[0] for t in times), sum(t[1] for t in times))
    worst = max(times, key=lambda pair: pair[0] / pair[1])
    ratio(f"  the worst for ours ({' '.join(worst[2])[:22]})", worst[0] * 1e3, worst[1] * 1e3, "ms")
    print(f"answers: {same} equal, {len(questions)} by choice, {len(failures)} otherwise"
          + (f"; where chosen ours has {statistics.mean(sizes):+.1f} packages in the mean" if sizes else ""))
    for failure in failures:
        print("  " + failure)
    sys.exit(1 if failures else 0)


def as_relation(nevra):
    """`name = evr` of `name-evr.arch`."""
    name, version, release = nevra.rsplit(".", 1)[0].rsplit("-", 2)
    return f"{name} = {version}-{release}"


main()
