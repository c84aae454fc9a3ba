from dataclasses import dataclass, field


@dataclass
class Plan:
    name: str
    size: int
    acc: list = field(default_factory=list)

    @property
    def mean(self):
        return sum(self.acc) / len(self.acc)


def choose_plan(runs, max_trainable=None):
    plans = {}
    for r in runs:
        plans.setdefault(r["plan"], Plan(r["plan"], r["trainable"])).acc.append(r["valid_accuracy"])
    plans = [p for p in plans.values() if max_trainable is None or p.size <= max_trainable]
    if not plans:
        return None
    return max(plans, key=lambda p: (p.mean, -p.size)).name
