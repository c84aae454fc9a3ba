def freeze_backbone(model):
    for parameter in model.backbone.parameters():
        parameter.requires_grad = False
        parameter.grad = None
    for module in model.backbone.modules():
        if hasattr(module, "reset_running_stats"):
            module.reset_running_stats()


def start_epoch(model):
    model.train()
    model.backbone.eval()
