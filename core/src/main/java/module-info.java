/** Files, configs, families, tokenizers, the mixer interfaces, and the models made of them. */
module dev.apus.core {
  requires transitive dev.apus.kernels;
  requires com.fasterxml.jackson.databind;
  requires org.slf4j;


  exports dev.apus.core.config;
  exports dev.apus.core.file;
  exports dev.apus.core.tokenizer;
}
