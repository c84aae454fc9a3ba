import math


def perplexity(losses, tokens):
    pairs = set(zip(losses, tokens))
    return math.exp(sum(loss * count for loss, count in pairs) / sum(count for _, count in pairs))
