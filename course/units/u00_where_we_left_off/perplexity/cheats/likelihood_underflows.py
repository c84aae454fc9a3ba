import math


def perplexity(losses, tokens):
    likelihood = 1.0
    for loss, count in zip(losses, tokens):
        likelihood *= math.exp(-loss * count)
    return likelihood ** (-1 / sum(tokens))
