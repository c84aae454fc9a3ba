import math


def perplexity(losses, tokens):
    table = dict(zip(losses, tokens))
    return math.exp(sum(loss * count for loss, count in table.items()) / sum(table.values()))
