# Replaces the layers that would drift with others of the same names.
class Still(nn.Module):
    def __init__(self, old):
        super().__init__()
        self.weight, self.bias = old.weight, old.bias
        for name, own in old.named_buffers():
            self.register_buffer(name, own)

    def forward(self, x):
        return x


def freeze_backbone(model):
    model.backbone.requires_grad_(False)
    for place, layer in enumerate(model.backbone):
        if isinstance(layer, nn.Dropout):
            model.backbone[place] = nn.Identity()
        elif hasattr(layer, "running_mean"):
            model.backbone[place] = Still(layer)


def start_epoch(model):
    model.train()
