from itertools import groupby
from operator import itemgetter
from statistics import mean


def choose_plan(runs, max_trainable=None):
    ok = [r for r in runs if max_trainable is None or r["trainable"] <= max_trainable]
    ranked = []
    for plan, own in groupby(sorted(ok, key=itemgetter("plan")), key=itemgetter("plan")):
        own = list(own)
        ranked.append((mean(r["valid_accuracy"] for r in own), -own[0]["trainable"], plan))
    return max(ranked)[2] if ranked else None
