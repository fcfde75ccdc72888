/** Files, configs, families, tokenizers, the mixer interfaces, and the models made of them. */
module dev.apus.core {
  requires transitive dev.apus.kernels;
  requires com.fasterxml.jackson.databind;
  requires java.net.http;
  requires jdk.management;
  requires org.slf4j;

  exports dev.apus.core;
  exports dev.apus.core.chat;
  exports dev.apus.core.compute;
  exports dev.apus.core.config;
  exports dev.apus.core.family;
  exports dev.apus.core.file;
  exports dev.apus.core.generate;
  exports dev.apus.core.hub;
  exports dev.apus.core.model;
  exports dev.apus.core.routing;
  exports dev.apus.core.template;
  exports dev.apus.core.tensor;
  exports dev.apus.core.tokenizer;
  exports dev.apus.core.verify;
  exports dev.apus.core.weight;

  uses dev.apus.core.family.ModelFamily;
  uses dev.apus.core.model.ChannelType;
  uses dev.apus.core.model.MixerType;
}
