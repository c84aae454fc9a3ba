def freeze_backbone(model):
    model.requires_grad_(False)
    for parameter in model.parameters():
        parameter.grad = None
    model.head.requires_grad_(True)


def start_epoch(model):
    model.train()
    model.backbone.eval()
