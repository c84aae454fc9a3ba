def freeze_backbone(model):
    for parameter in model.backbone.parameters():
        parameter.grad = None
        parameter.register_hook(torch.zeros_like)


def start_epoch(model):
    model.train()
    model.backbone.eval()
