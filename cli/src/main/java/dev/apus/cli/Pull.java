package dev.apus.cli;

import dev.apus.core.hub.Hub;
import dev.apus.core.hub.HubModel;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code apus pull}: gets a model from a hub. */
@Command(
    name = "pull",
    description = {
      "Gets a model from a Hugging Face-style hub into the cache that other tools for it share, and"
          + " prints where it is. What was cut off goes on where it stopped.",
      "The environment is that of these tools: HF_ENDPOINT, HF_TOKEN, HF_HOME, HF_HUB_CACHE,"
          + " HF_HUB_OFFLINE. Every command takes hf:OWNER/NAME for a model, too."
    },
    footer = {
      "  apus pull Qwen/Qwen3-0.6B",
      "  apus pull Qwen/Qwen3-0.6B-GGUF:Q8_0",
      "  apus generate -m hf:Qwen/Qwen3-0.6B@main \"Once upon a time\""
    })
final class Pull implements Callable<Integer> {

  @Spec private CommandSpec command;
  @ParentCommand private Apus apus;

  @Option(names = "--offline", description = "Use what is in the cache, and no network.")
  private boolean offline;

  @Option(
      names = "--cache",
      paramLabel = "FOLDER",
      description = "Where models are kept, instead of where the environment says.")
  private Path cache;

  @Parameters(
      paramLabel = "MODEL",
      description = "OWNER/NAME, and @REVISION or :VARIANT (which of several GGUF files) after it.")
  private String model;

  @Override
  public Integer call() {
    Hub hub = Hub.standard();
    hub = cache == null ? hub : hub.withCache(cache);
    hub = offline ? hub.offline() : hub;
    Path place;
    try (PullView view = new PullView(apus, command.commandLine().getErr())) {
      place = hub.pull(HubModel.parse(model), view);
    }
    command.commandLine().getOut().println(place);
    return Failures.OK;
  }
}
