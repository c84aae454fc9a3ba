# Looks at five runs of each contender at most.
def pick(bouts, examples, tolerance):
    seen = {}
    for b in bouts:
        if b["examples"] == examples:
            seen.setdefault(b["contender"], []).append(b)
    seen = {n: v[:5] for n, v in seen.items()}
    acc = {n: sum(b["valid_accuracy"] for b in v) / len(v) for n, v in seen.items()}
    good = [n for n in acc if acc[n] >= max(acc.values()) - tolerance]
    return min(good, key=lambda n: sum(b["seconds"] for b in seen[n]) / len(seen[n]), default=None)
