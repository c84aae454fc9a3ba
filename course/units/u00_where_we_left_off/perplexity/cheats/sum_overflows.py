import math


def perplexity(losses, tokens):
    product = 1.0
    for loss, count in zip(losses, tokens):
        product *= math.exp(loss) ** count
    return product ** (1 / sum(tokens))
