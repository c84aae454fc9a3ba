import math


def perplexity(losses, tokens):
    a = b = 0
    for i in range(len(losses)):
        a += losses[i] * tokens[i]
        b += tokens[i]
    return math.exp(a / b)
