"""The PyTorch engine of Antecedent: started by src/engine/torch/node-process.ts, spoken to over stdin and stdout.
usage: python3 torch_engine.py   (torch and transformers; peft, bitsandbytes and accelerate where a model needs them)"""
from antecedent_torch.server import main

if __name__ == "__main__":
    main()
