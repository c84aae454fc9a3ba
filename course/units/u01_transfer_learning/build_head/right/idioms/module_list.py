class Head(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.each = nn.ModuleList(nn.Linear(i, 1) for _ in range(o))

    def forward(self, h):
        return torch.cat([one(h) for one in self.each], dim=1)


build_head = Head
