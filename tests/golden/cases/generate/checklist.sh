# checklist.sh TEMPLATE...: with images by digest and weights of a pinned revision, what the checklist for production has to
# say of platforms of ours, on each target: nothing.
digest=sha256:$(printf 'a%.0s' {1..64})
for template in "$@"; do
  aictl init --template $template -q >/dev/null
  sed -E "s#^(- |  )source: .*#&\n  image: registry.example.com/engine@$digest#; s#(image: registry.example.com/[a-z]+):.*#\1@$digest#;
          s#revision: main.*#revision: $(printf 'b%.0s' {1..40})#" aictl.yaml >$template.yaml
  rm aictl.yaml
  cat >>$template.yaml <<SPEC
targets:
  kubernetes: {image: "a@$digest", fetch_image: "a@$digest", agent_image: "a@$digest"}
  inference-extension: {image: "a@$digest"}
  opentelemetry: {image: "a@$digest"}
  kuberay: {image: "a@$digest"}
  vitess: {image: "a@$digest"}
  rook: {image: "a@$digest"}
SPEC
  for target in kubernetes kserve kueue topology monitoring opentelemetry envoy-ai-gateway inference-extension dapr knative strimzi \
                vitess rook kuberay volcano armada leaderworkerset jobset "topology kserve" "kueue volcano" "strimzi knative"; do
    aictl generate $target -f $template.yaml -o - >out.yaml 2>notes || { echo "$template, $target: $(grep -v '^n' notes)"; continue; }
    aictl validate --lint --references $(sed -n 's/^needs: /--external /p' notes) out.yaml 2>&1 |
      grep -v ', 0 errors, 0 warnings' | sed "s/^/$template, $target: /"
  done
done
