'use strict';
// Finishes the package after the plugins have added everything: see finish_package.py.
const { spawnSync } = require('node:child_process');
const path = require('node:path');

class Finish {
  constructor(serverless, _options, { log }) {
    this.hooks = {
      'after:package:createDeploymentArtifacts': () => {
        const { service } = serverless;
        const { python, architecture, maxMegabytes } = service.custom.package;
        const zip = path.resolve(serverless.serviceDir, service.package.artifact);
        const made = spawnSync(
          python,
          [path.join(__dirname, 'finish_package.py'), zip, '--architecture', architecture, '--max-megabytes', String(maxMegabytes[architecture])],
          { encoding: 'utf8' },
        );
        if (made.error) throw made.error;
        if (made.status !== 0) throw new serverless.classes.Error(made.stderr.trim());
        log.notice(made.stdout.trim());
      },
    };
  }
}

module.exports = Finish;
