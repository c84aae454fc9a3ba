def lora_linear(x, weight, A, B, alpha):
    base = nn.Linear(weight.shape[1], weight.shape[0], bias=False)
    base.weight = nn.Parameter(weight)
    down = nn.Linear(A.shape[1], A.shape[0], bias=False)
    down.weight.data = A
    up = nn.Linear(B.shape[1], B.shape[0], bias=False)
    up.weight.data.copy_(B)
    return base(x) + alpha / A.shape[0] * up(down(x))


def merge(weight, A, B, alpha):
    return weight + alpha / len(A) * (B @ A)
