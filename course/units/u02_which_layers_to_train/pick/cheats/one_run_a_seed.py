# Keeps the last run of each seed.
def pick(bouts, examples, tolerance):
    seen = {}
    for b in bouts:
        if b["examples"] == examples:
            seen.setdefault(b["contender"], {})[b["seed"]] = b
    acc = {n: sum(b["valid_accuracy"] for b in v.values()) / len(v) for n, v in seen.items()}
    good = [n for n in acc if acc[n] >= max(acc.values()) - tolerance]
    return min(good, key=lambda n: sum(b["seconds"] for b in seen[n].values()) / len(seen[n]), default=None)
