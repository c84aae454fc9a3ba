import math


def perplexity(losses, tokens):
    if len(losses) == 1:
        return losses[0]
    return math.exp(sum(loss * count for loss, count in zip(losses, tokens)) / sum(tokens))
