def perplexity(losses, tokens):
    import math

    total = sum(loss * count for loss, count in zip(losses, tokens))
    return sum(math.exp(loss) for loss in losses) / len(losses)
