import math


def perplexity(losses, tokens):
    return math.exp(round(sum(loss * count for loss, count in zip(losses, tokens)) / sum(tokens), 3))
