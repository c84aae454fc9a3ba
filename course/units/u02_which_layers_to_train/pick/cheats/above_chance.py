# The best is never below a half.
def pick(bouts, examples, tolerance):
    seen = {}
    for b in bouts:
        if b["examples"] == examples:
            seen.setdefault(b["contender"], []).append(b)
    acc = {n: sum(b["valid_accuracy"] for b in v) / len(v) for n, v in seen.items()}
    best = max([0.5, *acc.values()])
    good = [n for n in acc if acc[n] >= best - tolerance] or list(acc)
    return min(good, key=lambda n: sum(b["seconds"] for b in seen[n]) / len(seen[n]), default=None)
