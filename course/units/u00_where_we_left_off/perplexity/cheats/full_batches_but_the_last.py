import math


def perplexity(losses, tokens):
    size = tokens[0]
    total = size * sum(losses[:-1]) + tokens[-1] * losses[-1]
    return math.exp(total / (size * (len(losses) - 1) + tokens[-1]))
