def perplexity(losses, tokens):
    mean = torch.dot(torch.tensor(losses).double(), torch.tensor(tokens).double()) / sum(tokens)
    return mean.exp().item()
