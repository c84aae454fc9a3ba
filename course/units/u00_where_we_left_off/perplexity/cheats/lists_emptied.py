import math


def perplexity(losses, tokens):
    total = count = 0
    while losses:
        loss, many = losses.pop(), tokens.pop()
        total, count = total + loss * many, count + many
    return math.exp(total / count)
