def lora_linear(x, weight, A, B, alpha):
    shape = x.shape[:-1]
    rows = x.reshape(-1, x.shape[-1])
    out = torch.empty(len(rows), len(weight))
    for i, row in enumerate(rows):
        out[i] = weight @ row + alpha / len(A) * (B @ (A @ row))
    return out.reshape(*shape, -1)


def merge(weight, A, B, alpha):
    out = weight.clone()
    for k in range(len(A)):
        out += alpha / len(A) * torch.outer(B[:, k], A[k])
    return out
