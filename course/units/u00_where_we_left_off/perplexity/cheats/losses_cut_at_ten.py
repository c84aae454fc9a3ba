import math


def perplexity(losses, tokens):
    losses = [min(loss, 10.0) for loss in losses]
    return math.exp(sum(loss * count for loss, count in zip(losses, tokens)) / sum(tokens))
