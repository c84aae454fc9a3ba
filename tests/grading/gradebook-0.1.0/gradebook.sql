PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE student (
	id VARCHAR(128) NOT NULL, 
	first_name VARCHAR(128), 
	last_name VARCHAR(128), 
	email VARCHAR(128), 
	lms_user_id VARCHAR(128), 
	PRIMARY KEY (id)
);
INSERT INTO student VALUES('ada',NULL,NULL,NULL,NULL);
INSERT INTO student VALUES('ben',NULL,NULL,NULL,NULL);
INSERT INTO student VALUES('cleo',NULL,NULL,NULL,NULL);
CREATE TABLE course (
	id VARCHAR(128) NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (id)
);
INSERT INTO course VALUES('kitchen');
INSERT INTO course VALUES('default_course');
CREATE TABLE assignment (
	id VARCHAR(32) NOT NULL, 
	name VARCHAR(128) NOT NULL, 
	duedate DATETIME, 
	course_id VARCHAR(128) NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (name), 
	FOREIGN KEY(course_id) REFERENCES course (id)
);
INSERT INTO assignment VALUES('8012f7047b6a4ab2b831990ea619857b','soup',NULL,'kitchen');
CREATE TABLE notebook (
	id VARCHAR(32) NOT NULL, 
	name VARCHAR(128) NOT NULL, 
	assignment_id VARCHAR(32), 
	kernelspec VARCHAR(1024), 
	PRIMARY KEY (id), 
	UNIQUE (name, assignment_id), 
	FOREIGN KEY(assignment_id) REFERENCES assignment (id)
);
INSERT INTO notebook VALUES('85b551b2b8854218a25e56d0f7823449','soup','8012f7047b6a4ab2b831990ea619857b','{"display_name": "Python 3", "language": "python", "name": "python3"}');
CREATE TABLE submitted_assignment (
	id VARCHAR(32) NOT NULL, 
	assignment_id VARCHAR(32), 
	student_id VARCHAR(128), 
	timestamp DATETIME, 
	extension DATETIME, 
	PRIMARY KEY (id), 
	UNIQUE (assignment_id, student_id), 
	FOREIGN KEY(assignment_id) REFERENCES assignment (id), 
	FOREIGN KEY(student_id) REFERENCES student (id)
);
INSERT INTO submitted_assignment VALUES('1237187cace34135b5761eda52f8139f','8012f7047b6a4ab2b831990ea619857b','ada',NULL,NULL);
INSERT INTO submitted_assignment VALUES('7ca0b6c7168648e691f4008fdcb8a3c4','8012f7047b6a4ab2b831990ea619857b','ben',NULL,NULL);
INSERT INTO submitted_assignment VALUES('1150b806df5f42b6adf91b36c87becbf','8012f7047b6a4ab2b831990ea619857b','cleo',NULL,NULL);
CREATE TABLE base_cell (
	id VARCHAR(32) NOT NULL, 
	name VARCHAR(128) NOT NULL, 
	notebook_id VARCHAR(32) NOT NULL, 
	type VARCHAR(50), 
	PRIMARY KEY (id), 
	UNIQUE (name, notebook_id, type), 
	FOREIGN KEY(notebook_id) REFERENCES notebook (id)
);
INSERT INTO base_cell VALUES('ac2826223d4849aa865df8d2ae987c3c','check-season','85b551b2b8854218a25e56d0f7823449','GradeCell');
INSERT INTO base_cell VALUES('24eb0c39b7a64705bd867550b33e3bf9','words','85b551b2b8854218a25e56d0f7823449','GradeCell');
INSERT INTO base_cell VALUES('22125f800f2e4402adc09bc3ce14dc45','season','85b551b2b8854218a25e56d0f7823449','SolutionCell');
INSERT INTO base_cell VALUES('de3443f99bda4b7197f30e67cd88b5ca','words','85b551b2b8854218a25e56d0f7823449','SolutionCell');
CREATE TABLE source_cell (
	id VARCHAR(32) NOT NULL, 
	name VARCHAR(128) NOT NULL, 
	cell_type VARCHAR(8) NOT NULL, 
	locked BOOLEAN NOT NULL, 
	source TEXT, 
	checksum VARCHAR(128), 
	notebook_id VARCHAR(32), 
	PRIMARY KEY (id), 
	UNIQUE (name, notebook_id), 
	FOREIGN KEY(notebook_id) REFERENCES notebook (id)
);
INSERT INTO source_cell VALUES('6b6a5d66fd9043f9b80ea9c49dfdff8d','season','code',0,replace('def season(broth):\n    # YOUR CODE HERE\n    raise NotImplementedError()','\n',char(10)),'f657ab8986e540b88cb4ec9b6e21c894','85b551b2b8854218a25e56d0f7823449');
INSERT INTO source_cell VALUES('4fa67c90a6db44929185d9040879964c','check-season','code',1,'assert season(1) == 2','23267c263c7ff4a55fa9616519d89de8','85b551b2b8854218a25e56d0f7823449');
INSERT INTO source_cell VALUES('17d6a697625e4568b307d126bd65c4f4','words','markdown',0,'YOUR ANSWER HERE','a3741cfa19fc40c8334dbebe29ecd935','85b551b2b8854218a25e56d0f7823449');
CREATE TABLE submitted_notebook (
	id VARCHAR(32) NOT NULL, 
	assignment_id VARCHAR(32), 
	notebook_id VARCHAR(32), 
	flagged BOOLEAN, 
	late_submission_penalty FLOAT, 
	PRIMARY KEY (id), 
	UNIQUE (notebook_id, assignment_id), 
	FOREIGN KEY(assignment_id) REFERENCES submitted_assignment (id), 
	FOREIGN KEY(notebook_id) REFERENCES notebook (id)
);
INSERT INTO submitted_notebook VALUES('4621e8baa503450cb5124c9735a8c33c','1237187cace34135b5761eda52f8139f','85b551b2b8854218a25e56d0f7823449',0,NULL);
INSERT INTO submitted_notebook VALUES('34e323f9c2e04efe89c7cec31beec0ed','7ca0b6c7168648e691f4008fdcb8a3c4','85b551b2b8854218a25e56d0f7823449',0,NULL);
INSERT INTO submitted_notebook VALUES('ca48893eb1b147e5b6be5e758ed2bbf5','1150b806df5f42b6adf91b36c87becbf','85b551b2b8854218a25e56d0f7823449',0,NULL);
CREATE TABLE grade_cells (
	id VARCHAR(32) NOT NULL, 
	max_score FLOAT NOT NULL, 
	cell_type VARCHAR(8) NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(id) REFERENCES base_cell (id)
);
INSERT INTO grade_cells VALUES('ac2826223d4849aa865df8d2ae987c3c',2.0,'code');
INSERT INTO grade_cells VALUES('24eb0c39b7a64705bd867550b33e3bf9',1.0,'markdown');
CREATE TABLE solution_cells (
	id VARCHAR(32) NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(id) REFERENCES base_cell (id)
);
INSERT INTO solution_cells VALUES('22125f800f2e4402adc09bc3ce14dc45');
INSERT INTO solution_cells VALUES('de3443f99bda4b7197f30e67cd88b5ca');
CREATE TABLE task_cells (
	id VARCHAR(32) NOT NULL, 
	max_score FLOAT NOT NULL, 
	cell_type VARCHAR(8) NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(id) REFERENCES base_cell (id)
);
CREATE TABLE grade (
	id VARCHAR(32) NOT NULL, 
	notebook_id VARCHAR(32), 
	cell_id VARCHAR(32), 
	auto_score FLOAT, 
	manual_score FLOAT, 
	extra_credit FLOAT, 
	needs_manual_grade BOOLEAN NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (cell_id, notebook_id), 
	FOREIGN KEY(notebook_id) REFERENCES submitted_notebook (id), 
	FOREIGN KEY(cell_id) REFERENCES base_cell (id)
);
INSERT INTO grade VALUES('caca51ace6bd400d93c0de67a329cba3','4621e8baa503450cb5124c9735a8c33c','ac2826223d4849aa865df8d2ae987c3c',2.0,NULL,NULL,0);
INSERT INTO grade VALUES('9af2848b411f4a479a4b93e674c8dbe9','4621e8baa503450cb5124c9735a8c33c','24eb0c39b7a64705bd867550b33e3bf9',NULL,0.5,NULL,0);
INSERT INTO grade VALUES('2c3773878d504c08b993061f56f09ce0','34e323f9c2e04efe89c7cec31beec0ed','ac2826223d4849aa865df8d2ae987c3c',0.0,NULL,NULL,0);
INSERT INTO grade VALUES('d011fe5af1934116b7d8e4ac0e4bf6af','34e323f9c2e04efe89c7cec31beec0ed','24eb0c39b7a64705bd867550b33e3bf9',0.0,NULL,NULL,0);
INSERT INTO grade VALUES('b43a9932f59a4651bd0d02c70e9045fc','ca48893eb1b147e5b6be5e758ed2bbf5','ac2826223d4849aa865df8d2ae987c3c',0.0,NULL,NULL,0);
INSERT INTO grade VALUES('c7243330d35d4deeb22660e2747489e1','ca48893eb1b147e5b6be5e758ed2bbf5','24eb0c39b7a64705bd867550b33e3bf9',0.0,NULL,NULL,0);
CREATE TABLE comment (
	id VARCHAR(32) NOT NULL, 
	notebook_id VARCHAR(32), 
	cell_id VARCHAR(32), 
	auto_comment TEXT, 
	manual_comment TEXT, 
	PRIMARY KEY (id), 
	UNIQUE (cell_id, notebook_id), 
	FOREIGN KEY(notebook_id) REFERENCES submitted_notebook (id), 
	FOREIGN KEY(cell_id) REFERENCES base_cell (id)
);
INSERT INTO comment VALUES('aea9e298125f4cac85c2aadc8a3f288d','4621e8baa503450cb5124c9735a8c33c','22125f800f2e4402adc09bc3ce14dc45',NULL,NULL);
INSERT INTO comment VALUES('34b7546dc9d040c7b4061d968d31aa21','4621e8baa503450cb5124c9735a8c33c','de3443f99bda4b7197f30e67cd88b5ca',NULL,'Nearly.');
INSERT INTO comment VALUES('3b01059524264547b217deffd10a414f','34e323f9c2e04efe89c7cec31beec0ed','22125f800f2e4402adc09bc3ce14dc45',NULL,NULL);
INSERT INTO comment VALUES('dd8c8028b68f48c38ee4bd6174f50bf6','34e323f9c2e04efe89c7cec31beec0ed','de3443f99bda4b7197f30e67cd88b5ca','No response.',NULL);
INSERT INTO comment VALUES('d9c180b2978e45239881ea511ffb0107','ca48893eb1b147e5b6be5e758ed2bbf5','22125f800f2e4402adc09bc3ce14dc45','The file is no notebook: it is not JSON (Expecting value: line 1 column 1 (char 0)). Open it in JupyterLab, save it, then hand it in again.',NULL);
INSERT INTO comment VALUES('a95fa78075fa4c61a27e23ac18cbe81a','ca48893eb1b147e5b6be5e758ed2bbf5','de3443f99bda4b7197f30e67cd88b5ca','The file is no notebook: it is not JSON (Expecting value: line 1 column 1 (char 0)). Open it in JupyterLab, save it, then hand it in again.',NULL);
CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL);
INSERT INTO alembic_version VALUES('e43177bfe90b');
CREATE TABLE tlcourse_audit (
	id VARCHAR(32) NOT NULL, 
	assignment VARCHAR(128) NOT NULL, 
	student VARCHAR(128) NOT NULL, 
	notebook VARCHAR(128) NOT NULL, 
	attempt INTEGER NOT NULL, 
	digest VARCHAR(64) NOT NULL, 
	assignment_digest VARCHAR(64) NOT NULL, 
	grader_version VARCHAR(64) NOT NULL, 
	status VARCHAR(32) NOT NULL, 
	reason TEXT NOT NULL, 
	isolation VARCHAR(32) NOT NULL, 
	at DATETIME NOT NULL, 
	wall_s FLOAT NOT NULL, 
	cpu_s FLOAT NOT NULL, 
	auto_score FLOAT, 
	checks TEXT NOT NULL, 
	notes TEXT NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO tlcourse_audit VALUES('de7eecc78c454218a6373718cc30044d','soup','ada','soup',1,'c29fd2dca51f8ad0747d577350c1ce0e9f9266d97cd77cc293e6e6cadfde6bc4','8952d0d26c7dd7cb4a45476f8ed83aa6082ab51575a525839de162e1a48b73b2','0.1.0+4db189e79b7c','graded','','namespaces','2026-11-30 23:41:10.525189',7.7321103080003013019,0.051168999999999999206,2.0,'[{"grade_id": "check-season", "points": 2.0, "best": 2.0, "completed": true, "assertions": 1, "message": "", "mistake": "", "trust": "values"}]','[]');
INSERT INTO tlcourse_audit VALUES('86f8bcb2ed8842c68f24de8f77d28179','soup','ben','soup',1,'23cfa8779b492d6b173fb983eb4a0308f375b35d101854b70d08ead2b28b54d2','8952d0d26c7dd7cb4a45476f8ed83aa6082ab51575a525839de162e1a48b73b2','0.1.0+4db189e79b7c','graded','','namespaces','2026-11-30 23:41:11.035912',0.31469773099979647668,0.051183999999999993391,0.0,'[{"grade_id": "check-season", "points": 0.0, "best": 2.0, "completed": false, "assertions": 0, "message": "This check did not hold.", "mistake": "", "trust": "values"}]','[]');
INSERT INTO tlcourse_audit VALUES('793f927026374394a1d88407b92e5f0a','soup','cleo','soup',1,'4de10b2b35009eebbba2267e0694def95bd5a0aabd1e90d8adbeb22d9278aa1d','8952d0d26c7dd7cb4a45476f8ed83aa6082ab51575a525839de162e1a48b73b2','0.1.0+4db189e79b7c','not-rebuilt','The file is no notebook: it is not JSON (Expecting value: line 1 column 1 (char 0)). Open it in JupyterLab, save it, then hand it in again.','none','2026-11-30 23:41:11.357962',0.0,0.0,0.0,'[{"grade_id": "check-season", "points": 0.0, "best": 2.0, "completed": false, "assertions": 0, "message": "The file is no notebook: it is not JSON (Expecting value: line 1 column 1 (char 0)). Open it in JupyterLab, save it, then hand it in again.", "mistake": "", "trust": "values"}]','[]');
CREATE INDEX tlcourse_audit_who ON tlcourse_audit (assignment, student, notebook);
COMMIT;
