import math


def perplexity(losses, tokens):
    mean = sum(loss * count for loss, count in zip(losses, tokens)) / sum(tokens)
    return sum(mean**power / math.factorial(power) for power in range(12))
