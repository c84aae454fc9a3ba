def freeze_backbone(model):
    for module in model.backbone.modules():
        if isinstance(module, (nn.Linear, nn.BatchNorm1d, nn.LayerNorm, nn.Embedding)):
            for parameter in module.parameters():
                parameter.requires_grad = False
                parameter.grad = None


def start_epoch(model):
    model.train()
    model.backbone.eval()
