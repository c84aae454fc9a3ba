import math


def perplexity(losses, tokens):
    tokens = [min(count, 512) for count in tokens]
    return math.exp(sum(loss * count for loss, count in zip(losses, tokens)) / sum(tokens))
