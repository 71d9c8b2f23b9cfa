// Decodes the objects on standard input with Kubernetes' own types, strictly: a field that they do not have,
// a field twice, or a value of another type is told, and the exit code is 1. Kinds that Kubernetes itself does
// not have are listed and not judged (Strimzi's, KEDA's), but for those of the Prometheus operator.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"
)

func main() {
	if err := monitoring.AddToScheme(scheme.Scheme); err != nil {
		panic(err)
	}
	strict := json.SerializerOptions{Yaml: true, Strict: true}
	decoder := json.NewSerializerWithOptions(json.DefaultMetaFactory, scheme.Scheme, scheme.Scheme, strict)
	documents := yaml.NewYAMLReader(bufio.NewReader(os.Stdin))
	wrong := false
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		wrong = judged(decoder, document) || wrong
	}
	if wrong {
		os.Exit(1)
	}
}

// judged prints what became of one document, and whether something is wrong with it.
func judged(decoder runtime.Decoder, document []byte) bool {
	_, kind, err := decoder.Decode(document, nil, nil)
	switch {
	case err == nil:
		fmt.Printf("right %s\n", kind)
	case runtime.IsNotRegisteredError(err):
		fmt.Printf("not judged %s\n", kind)
	case runtime.IsMissingKind(err) && kind == nil:
		return false
	default:
		fmt.Printf("wrong %v: %v\n", kind, err)
		return true
	}
	return false
}
