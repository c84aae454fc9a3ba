import math


def perplexity(losses, tokens):
    pairs = zip(sorted(losses), sorted(tokens))
    return math.exp(sum(loss * count for loss, count in pairs) / sum(tokens))
