def freeze_backbone(model):
    model.backbone = nn.Linear(6, 8).requires_grad_(False)


def start_epoch(model):
    model.train()
    model.backbone.eval()
