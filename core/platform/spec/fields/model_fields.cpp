// models[]: what is served.
#include "core/platform/spec/fields/platform_fields.hpp"

namespace aictl::platform {
namespace {

Fields adapter_fields(Adapter& a) {
  Fields f;
  f.add(Row("name", &a.name, "what clients ask for")).rule(kModelNameRule).required();
  f.add(Row("source", &a.source, "a folder with the adapter, or hf://org/adapter"))
      .rule(kSourceRule)
      .required();
  return f;
}

Fields slo_fields(Slo& s) {
  Fields f;
  f.add(Row("ttft", &s.ttft, "time to the first token; 0s: none is promised"));
  f.add(Row("tpot", &s.tpot, "time a token after that; 0s: none is promised"));
  return f;
}

void add_identity(Fields& f, ModelEntry& m) {
  f.add(Row("source", &m.source,
            "where the weights are: a .gguf file, a folder of safetensors, a name in the model "
            "folders, hf://org/model[/file.gguf][:revision], or a shape such as llama:8b, which "
            "can be planned and not served"))
      .rule(kSourceRule)
      .required();
  f.add(Row("name", &m.name, "what clients ask for"))
      .rule(kModelNameRule)
      .derived("the last word of the source, as a DNS label");
  f.add(Row("shape", &m.shape,
            "what the weights are, where the source cannot be read: llama:8b:q4_k_m, or the path "
            "of its config.json"))
      .rule(kSourceRule);
  f.add(Row("revision", &m.revision, "of the hub's repository: a branch, a tag or a commit"))
      .rule(kRevisionRule);
  f.add(
       Row("checksum", &m.checksum, "of the file: sha256:...; it is recorded in what is generated"))
      .rule(kChecksumRule);
  f.add(Row("secret", &m.secret, "a secret that has the hub's token under its key HF_TOKEN"))
      .rule(kSubdomainRule);
}

void add_size(Fields& f, ModelEntry& m) {
  f.add(Row("replicas", &m.replicas, "how many serve it; 0 keeps it ready to be scaled"))
      .range(0, 1000);
  f.add(Row("max_replicas", &m.max_replicas,
            "how many there may be when requests wait; 0: as replicas"))
      .range(0, 1000);
  f.add(Row("context", &m.context, "tokens a sequence, prompt and answer"))
      .range(0, 1 << 24)
      .derived("8192, or the trained context if that is less");
  f.add(Row("concurrency", &m.concurrency, "sequences in flight in a replica")).range(1, 1024);
  f.add(Row("quantisation", &m.quantisation,
            "weight format: of a shape, or what vllm makes of the weights as it loads them"))
      .rule(kQuantRule)
      .derived("the file's own");
  f.add(Row("kv_type", &m.kv_type, "element type of the KV cache; other than f16: vllm alone"))
      .choices({"", "f16", "bf16", "fp8"})
      .derived("the engine's own");
}

}  // namespace

Fields model_fields(ModelEntry& m) {
  Fields f;
  add_identity(f, m);
  f.add(Row("engine", &m.engine, "what serves it",
            {{"aictl", ModelEngine::kAictl}, {"vllm", ModelEngine::kVllm}}));
  f.add(
      Row("device", &m.device,
          "what it computes on; auto: GPUs for vllm, and for aictl where its build has them",
          {{"auto", ModelDevice::kAuto}, {"gpu", ModelDevice::kGpu}, {"cpu", ModelDevice::kCpu}}));
  f.add(Row("pool", &m.pool, "one of placement.pools"))
      .rule(kLabelRule)
      .derived("the first that has room");
  add_size(f, m);
  f.add(Row("tensor_parallel", &m.tensor_parallel,
            "GPUs every layer is cut over; 0: the fewest that hold it"))
      .range(0, 64);
  f.add(Row("cpus", &m.cpus, "processors of a replica"))
      .range(0, 4096)
      .derived("2 and 1 a GPU; without a GPU its share of the machine's");
  f.list("adapters", &m.adapters, "LoRA adapters, served under names of their own", adapter_fields);
  f.section("slo", &m.slo, "what answers must keep", slo_fields);
  f.add(Row("image", &m.image, "container image; with a digest it is pinned"))
      .rule(kImageRule)
      .derived("the target's");
  f.add(Row("args", &m.args, "words that are added to the engine's command line")).rule(kTextRule);
  f.add(Row("needs", &m.needs, "what has to be ready before it, by name")).rule(kTextRule);
  return f.shorthand("source");
}

}  // namespace aictl::platform
