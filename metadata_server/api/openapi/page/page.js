// What is folded costs nothing: opened as a whole, some hundred operations take half a minute.
SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#reference",
  deepLinking: true,
  docExpansion: "none",
  defaultModelsExpandDepth: 0,
  displayOperationId: true,
  displayRequestDuration: true,
  filter: true,
  syntaxHighlight: false,
  validatorUrl: null,
  // Trying out asks this server only, and reads only: a page is no place to order magnets from.
  supportedSubmitMethods: ["get", "head"],
});
