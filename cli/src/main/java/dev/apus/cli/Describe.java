package dev.apus.cli;

import dev.apus.core.Model;
import dev.apus.core.Session;
import dev.apus.core.file.StoredTensor;
import java.io.PrintWriter;
import java.util.Collection;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code apus describe}: what a checkpoint is made of. */
@Command(
    name = "describe",
    description = {
      "Prints what a model is made of, as one JSON document.",
      "What its file holds, and the memory that it and a session take, follow on the error stream;"
          + " with --json they are part of the document."
    },
    footer = {
      "  apus describe models/Qwen3-0.6B",
      "  apus describe --document models/Qwen3-0.6B > qwen3.json",
      "  apus describe --json"
    })
final class Describe implements Callable<Integer> {

  @Spec private CommandSpec command;
  @ParentCommand private Apus apus;
  @Mixin private ModelChoice choice;
  @Mixin private Opening opening;

  @Option(names = "--json", description = "Print sizes and memory as part of the document.")
  private boolean json;

  @Option(
      names = "--document",
      description = "Print the document alone; the weights of a large model need not be read.")
  private boolean documentOnly;

  @Parameters(paramLabel = "MODEL", arity = "0..1", description = "The same as --model=MODEL.")
  private String place;

  @Override
  public Integer call() {
    if (place != null) {
      if (choice.place() != null) {
        throw new ParameterException(
            command.commandLine(), "MODEL and --model both name a model; one is enough");
      }
      choice.choose(place);
    }
    if (json && documentOnly) {
      throw new ParameterException(
          command.commandLine(), "--json and --document exclude each other; one is enough");
    }
    PrintWriter out = command.commandLine().getOut();
    if (documentOnly) {
      out.println(Model.describe(choice.files(), opening.options()).toJson());
      return Failures.OK;
    }
    try (Model model = choice.open(opening.options());
        Session session = model.newSession(1)) {
      Map<String, Stored> stored = stored(model.storedTensors());
      out.println(json ? document(model, stored, session.bytes()) : model.architecture().toJson());
      out.flush();
      if (!json) {
        apus.note(command.commandLine().getErr(), summary(model, stored, session.bytes()));
      }
    }
    return Failures.OK;
  }

  /** How much of a checkpoint is stored in one type. */
  private record Stored(int tensors, long values, long bytes) {

    static Stored of(Collection<StoredTensor> tensors) {
      return new Stored(
          tensors.size(),
          tensors.stream().mapToLong(StoredTensor::elements).sum(),
          tensors.stream().mapToLong(tensor -> tensor.data().byteSize()).sum());
    }
  }

  private static Map<String, Stored> stored(Collection<StoredTensor> tensors) {
    return tensors.stream()
        .collect(
            Collectors.groupingBy(
                StoredTensor::type,
                TreeMap::new,
                Collectors.collectingAndThen(Collectors.toList(), Stored::of)));
  }

  private static String summary(Model model, Map<String, Stored> stored, long constant) {
    String types =
        stored.entrySet().stream()
            .map(type -> line(type.getKey(), type.getValue()) + "\n")
            .collect(Collectors.joining());
    String windows =
        model.windowBytes() == 0
            ? ""
            : ", and at most " + Units.bytes(model.windowBytes()) + " for what windows see";
    return String.format(
        Locale.ROOT,
        "%s parameters; the file holds\n"
            + "%sin memory %s of weights; a session takes %s and %s for each token%s",
        Units.count(parameters(stored)),
        types,
        Units.bytes(model.weightBytes()),
        Units.bytes(constant),
        Units.bytes(model.stateBytesPerToken()),
        windows);
  }

  private static String line(String type, Stored stored) {
    return String.format(
        Locale.ROOT,
        "  %-5s %d tensors, %s values, %s",
        type,
        stored.tensors,
        Units.count(stored.values),
        Units.bytes(stored.bytes));
  }

  private static long parameters(Map<String, Stored> stored) {
    return stored.values().stream().mapToLong(Stored::values).sum();
  }

  private static String document(Model model, Map<String, Stored> stored, long constant) {
    String types =
        stored.entrySet().stream()
            .map(type -> member(type.getKey(), type.getValue()))
            .collect(Collectors.joining(",\n"));
    return String.format(
        Locale.ROOT,
        """
        {
          "architecture" : %s,
          "parameters" : %d,
          "stored" : {
        %s
          },
          "weightBytes" : %d,
          "stateBytes" : %d,
          "stateBytesPerToken" : %d,
          "windowBytes" : %d
        }\
        """,
        model.architecture().toJson().strip().replace("\n", "\n  "),
        parameters(stored),
        types,
        model.weightBytes(),
        constant,
        model.stateBytesPerToken(),
        model.windowBytes());
  }

  private static String member(String type, Stored stored) {
    return String.format(
        Locale.ROOT,
        "    \"%s\" : { \"tensors\" : %d, \"values\" : %d, \"bytes\" : %d }",
        type,
        stored.tensors,
        stored.values,
        stored.bytes);
  }
}
