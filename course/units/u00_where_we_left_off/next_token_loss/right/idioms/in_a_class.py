class Loss(nn.Module):
    def __init__(self):
        super().__init__()
        self.ce = nn.CrossEntropyLoss(reduction="none")

    def forward(self, logits, ids, mask):
        l = self.ce(logits.swapaxes(1, 2)[..., :-1], ids[:, 1:])
        return l[mask[:, 1:].nonzero(as_tuple=True)].mean()


next_token_loss = Loss()
