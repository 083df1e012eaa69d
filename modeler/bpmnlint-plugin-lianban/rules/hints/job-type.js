// The rule "job-type" in processes that do not declare approval=true.
module.exports = require("../../house")(require("../job-type").find, false);
