package dev.apus.cli;

import dev.apus.core.MemoryEstimate;
import dev.apus.core.Outline;
import dev.apus.core.file.StoredTensor;
import dev.apus.core.model.Architecture;
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
      "What its file holds, and the memory that it and a session will take, follow on the error"
          + " stream; with --json they are part of the document. No matrix is read."
    },
    footer = {
      "  apus describe models/Qwen3-0.6B",
      "  apus describe --document models/Qwen3-0.6B > qwen3.json",
      "  apus describe --context 32768 --cache bf16 models/Qwen3-0.6B",
      "  apus describe --json"
    })
final class Describe implements Callable<Integer> {

  @Spec private CommandSpec command;
  @ParentCommand private Apus apus;
  @Mixin private ModelChoice choice;
  @Mixin private Opening opening;
  @Mixin private CacheChoice cache;

  @Option(
      names = {"-c", "--context"},
      paramLabel = "N",
      description = "Of a session of so many tokens (default: as many as the model was made for).")
  private Integer context;

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
    if (context != null && context < 1) {
      throw new ParameterException(command.commandLine(), "--context must be above 0");
    }
    try (Outline outline = Outline.open(choice.files(), cache.over(opening.options()))) {
      outline.requireLanguage();
      describe(outline);
    }
    return Failures.OK;
  }

  private void describe(Outline outline) {
    PrintWriter out = command.commandLine().getOut();
    Architecture architecture = outline.architecture();
    if (documentOnly) {
      out.println(architecture.toJson());
      return;
    }
    MemoryEstimate memory = outline.memory();
    Map<String, Stored> stored = stored(outline.storedTensors());
    int length = context == null ? architecture.context() : context;
    out.println(json ? document(architecture, stored, memory, length) : architecture.toJson());
    out.flush();
    if (!json) {
      apus.note(command.commandLine().getErr(), summary(stored, memory, length));
    }
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

  private static String summary(Map<String, Stored> stored, MemoryEstimate memory, int length) {
    String types =
        stored.entrySet().stream()
            .map(type -> line(type.getKey(), type.getValue()) + "\n")
            .collect(Collectors.joining());
    String windows =
        memory.windowBytes() == 0
            ? ""
            : ", and at most "
                + Units.bytes(memory.windowBytes())
                + " for what windows see and what has not settled";
    return String.format(
        Locale.ROOT,
        "%s parameters; the file holds\n"
            + "%sin memory %s of weights; a session takes %s and %s for each token%s\n"
            + "%s free; %s",
        Units.count(parameters(stored)),
        types,
        Units.bytes(memory.weightBytes()),
        Units.bytes(memory.stateBytes()),
        Units.bytes(memory.stateBytesPerToken()),
        windows,
        Units.bytes(memory.freeBytes()),
        fit(memory, length));
  }

  private static String fit(MemoryEstimate memory, int length) {
    String needed =
        String.format(
            Locale.ROOT,
            "the model and a session of %d tokens need %s",
            length,
            Units.bytes(memory.neededBytes(length)));
    if (memory.neededBytes(length) <= memory.freeBytes()) {
      return needed
          + ", which fits"
          + (length > memory.context() ? "; the model was made for " + memory.context() : "");
    }
    int largest = memory.largestContext();
    return needed
        + (largest == 0
            ? ": the weights alone do not fit"
            : ": at most " + largest + " tokens fit");
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

  private static String document(
      Architecture architecture, Map<String, Stored> stored, MemoryEstimate memory, int length) {
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
          "windowBytes" : %d,
          "context" : %d,
          "sessionBytes" : %d
        }\
        """,
        architecture.toJson().strip().replace("\n", "\n  "),
        parameters(stored),
        types,
        memory.weightBytes(),
        memory.stateBytes(),
        memory.stateBytesPerToken(),
        memory.windowBytes(),
        length,
        memory.sessionBytes(length));
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
