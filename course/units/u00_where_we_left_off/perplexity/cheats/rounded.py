import math


def perplexity(losses, tokens):
    return round(math.exp(sum(loss * count for loss, count in zip(losses, tokens)) / sum(tokens)), 2)
