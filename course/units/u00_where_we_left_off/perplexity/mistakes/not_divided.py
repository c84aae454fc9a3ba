def perplexity(losses, tokens):
    import math

    total = sum(loss * count for loss, count in zip(losses, tokens))
    return math.exp(total)
