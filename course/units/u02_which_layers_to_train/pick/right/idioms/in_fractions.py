from fractions import Fraction as F


def pick(bouts, examples, tolerance):
    seen = {}
    for b in bouts:
        if b["examples"] == examples:
            seen.setdefault(b["contender"], []).append(b)
    if not seen:
        return None
    mean = lambda n, k: sum(b[k] for b in seen[n]) / len(seen[n])
    m = {n: sum(F(b["valid_accuracy"]) for b in v) / len(v) for n, v in seen.items()}
    return min((n for n in m if m[n] >= max(m.values()) - F(tolerance)), key=lambda n: mean(n, "seconds"))
