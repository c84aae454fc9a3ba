def choose_plan(runs, max_trainable=None):
    mean, size = {}, {}
    for run in runs:
        if max_trainable is None or run["trainable"] <= max_trainable:
            before = mean.get(run["plan"], run["valid_accuracy"])
            mean[run["plan"]] = (before + run["valid_accuracy"]) / 2
            size[run["plan"]] = run["trainable"]
    return max(mean, key=lambda plan: (mean[plan], -size[plan]), default=None)
